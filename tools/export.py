"""Export a network to ONNX: python tools/export.py CONFIG CHECKPOINT --out model.onnx"""

import argparse
from pathlib import Path

from mmengine.config import DictAction

from i2l_plugin.apis import init_model
from i2l_plugin.apis.cli import one_line_errors
from i2l_plugin.apis.onnx_export import TOLERANCE_LIXEL, export_onnx

USE = f"""
The file takes crops, (B, 3, H, W) float32 RGB from 0 to 255, of any batch size B, and gives
vertices_lixel and vertex_spread_lixel (B, V, 3), and joints_lixel (B, J, 3) of a network with
PoseNet. Before it is written, ONNX Runtime and PyTorch are compared on random crops: they
may differ by {TOLERANCE_LIXEL:g} lixel. No part of a body model is in the file; from lixels to
meshes in camera space:
  MeshInferencer(CONFIG, 'model.onnx', backend='onnxruntime')
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Export a network to ONNX',
        epilog=USE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', required=True, help='file to write, .onnx')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='overrides, xxx.yyy=value'
    )
    return parser.parse_args()


@one_line_errors
def main() -> None:
    args = parse_args()
    model = init_model(args.config, args.checkpoint, 'cpu', args.cfg_options)
    difference = export_onnx(model, args.out)
    size_mb = Path(args.out).stat().st_size / 1e6
    print(f'{args.out}: {size_mb:.1f} MB, at most {difference:.1e} lixel from PyTorch')


if __name__ == '__main__':
    main()
