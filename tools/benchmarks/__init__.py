"""Sub-commands of ``tools/benchmark.py``, one module each.

A module's docstring is its help; `add_arguments(parser)` adds its options; `run(args)` prints and
returns the exit status (None for 0). Modules whose name begins with an underscore are helpers.
"""
