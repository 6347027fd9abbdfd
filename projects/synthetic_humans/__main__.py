"""``python projects/synthetic_humans --kind body ...``; see the README beside this file."""

from synthetic_humans.cli import main

if __name__ == '__main__':
    raise SystemExit(main())
