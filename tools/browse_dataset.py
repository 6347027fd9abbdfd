#!/usr/bin/env python
"""Look at data as the network gets them: python tools/browse_dataset.py CONFIG --num 64 --out DIR

Writes DIR/index.html, one page with all pictures inside that works offline, and contact sheets
DIR/sheet_001.png, ...: crop, true mesh over it, annotated joints, side view, flags, and in words
what looks suspicious. The page sorts and filters, the worst first.
"""

import argparse
from pathlib import Path

from mmengine.config import DictAction
from tqdm import tqdm

from i2l_plugin.apis.cli import one_line_errors
from i2l_plugin.apis.dataset_samples import SPLITS, DatasetSamples, truth_models
from i2l_plugin.apis.runner import load_config
from i2l_plugin.visualization.crop_truth import CropTruth
from i2l_plugin.visualization.dataset_sheet import ContactSheets, draw_sample
from i2l_plugin.visualization.html_page import SamplePage, sample_page
from i2l_plugin.visualization.sample_report import median_of, report_on


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('--num', type=int, default=32, help='samples (default: %(default)s)')
    parser.add_argument('--out', required=True, help='folder for the page and the sheets')
    parser.add_argument('--split', choices=SPLITS, default='train', help='(default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the choice and the augmentation')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='overrides, xxx.yyy=value'
    )
    return parser.parse_args()


@one_line_errors
def main() -> None:
    args = parse_args()
    config = load_config(args.config, args.cfg_options)
    samples = DatasetSamples(config, args.split, args.num, args.seed)
    models = truth_models(config, args.split)
    out = Path(args.out)
    sheets = ContactSheets(out)
    title = f'{Path(args.config).stem}, {args.split}: {len(samples)} of {len(samples.dataset)}'
    with sample_page(out / 'index.html', title) as page:
        for sample in tqdm(samples, unit=' samples', dynamic_ncols=True, disable=None):
            model = models.of(sample.data_sample.metainfo)
            truth = CropTruth.of(sample.inputs, sample.data_sample, model)
            report = report_on(truth, sample.index, sample.source, sample.extra)
            panels = draw_sample(truth)
            page.add(report, panels)
            sheets.add(report, panels)
    files = [page.path, *sheets.close()]
    summarize(page)
    print('wrote', *files)


def summarize(page: SamplePage) -> None:
    """The result in a few lines; the worst samples by id."""
    suspicious = [report for report in page.reports if report.num_suspicious]
    median = median_of(page.reports)
    distance = 'no sample with a fit' if median is None else f'{median:.1f} px'
    print(f'{page.title}; median distance of mesh to annotated joints: {distance}')
    print(f'{len(suspicious)} suspicious')
    suspicious.sort(key=lambda report: -(report.distances.median or 0))
    for report in suspicious[:5]:
        print(f'  {report.source}, sample_id {report.sample_id}: {report.findings[0].text}')


if __name__ == '__main__':
    main()
