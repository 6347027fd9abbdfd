"""Meshes of people: python tools/demo.py INPUT ... --config CONFIG --checkpoint FILE --out FOLDER

The same as the command i2l-mesh, which the package installs.
"""

from i2l_plugin.apis.inference.cli import main, parse_args  # noqa: F401 - the command's options

if __name__ == '__main__':
    main()
