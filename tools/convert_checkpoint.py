"""Turn a snapshot released by the authors of I2L-MeshNet into a checkpoint of this plugin.

python tools/convert_checkpoint.py SRC.pth.tar DST.pth [--kind body|hand]
"""

import argparse
import os

from i2l_plugin.apis.cli import one_line_errors
from i2l_plugin.apis.released_checkpoints import convert_snapshot, save_atomically
from i2l_plugin.apis.released_network import KINDS

USE = """\
Load the result with a config of the release, *_release.py, and with no other: the release feeds
RGB / 255 without ImageNet's mean and deviation. With the authors' hand network the config's
finger_tips='release' is right.

  python tools/convert_checkpoint.py snapshot_8.pth.tar body.pth
  python tools/test.py \\
      configs/body/i2l-meshnet_res50_3xb16-13e_h36m-muco-coco-256x256_release.py body.pth
  mmpose.apis.init_model('configs/hand/i2l-meshnet_res50_3xb16-25e_freihand-256x256_release.py',
                         'hand.pth', device='cpu')

Nothing in the file is executed. Tensors that are unknown, missing or of another shape than the
release's are named and nothing is written. Optimizer, body-model buffers and the unused first
layer of the second ResNet are left out; the SMPL / MANO parameter regressor is kept as
parameter_regressor.*, for the configs *_release_smpl.py and *_release_mano.py. A network without
one reports it as unexpected and passes over it.
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Turn a released snapshot into a checkpoint of this plugin's configs",
        epilog=USE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('src', help='snapshot of the release, .pth.tar')
    parser.add_argument('dst', help='checkpoint to write, .pth')
    parser.add_argument('--kind', choices=KINDS, help='found from the shapes if not given')
    return parser.parse_args()


@one_line_errors
def main() -> None:
    args = parse_args()
    if os.path.realpath(args.src) == os.path.realpath(args.dst):
        raise ValueError(f'{args.dst!r} is the snapshot itself; give another name to write to')
    kind, checkpoint, kept, dropped = convert_snapshot(args.src, args.kind)
    save_atomically(checkpoint, args.dst)
    meta = checkpoint['meta']
    print(f'{args.dst}: a {kind} network, epoch {meta["released_epoch"]}')
    for part, (tensors, values) in kept.items():
        print(f'kept     {part}: {tensors} tensors, {values:,} values')
    for line in dropped:
        print(f'dropped  {line}')
    if not meta['parameter_regressor_trained']:
        print('note     parameter_regressor was never trained: its batch counters are 0')


if __name__ == '__main__':
    main()
