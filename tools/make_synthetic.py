"""Make a synthetic data set: a launcher of ``projects/synthetic_humans`` (see its README).

python tools/make_synthetic.py --kind body --num-train 2000 --num-test 200 --out data/body
"""

import runpy
from pathlib import Path

if __name__ == '__main__':
    project = Path(__file__).resolve().parent.parent / 'projects' / 'synthetic_humans'
    runpy.run_path(str(project), run_name='__main__')
