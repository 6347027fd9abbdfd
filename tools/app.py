"""Web page: python tools/app.py --config CONFIG --checkpoint FILE [--det-config ...] [--port 7860]

`make app` installs what it needs and starts it with the networks of `make demo`.
"""

from i2l_plugin.apis.app.cli import main, parse_args  # noqa: F401 - the command's options

if __name__ == '__main__':
    main()
