"""The paper's tables, trained anew: rows, equal budgets, shared runs, costs, reports.

A row is a config of ``configs/ablations/``, whose docstring holds the paper's numbers (`rows`). A
table's rows are put on the same data (`data`) and the same budget (`budget`), trained and tested
(`runs`), counted (`costs`) and set beside the paper's numbers (`orderings`, `report`, `plots`).
``tools/paper_tables.py`` is the command.
"""
