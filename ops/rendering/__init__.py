"""What is written from the contract and never by hand: schemas, AsyncAPI document, diagram, tables. Decides nothing.

`python -m ops.rendering` writes them, `--check` says which differ from what the contract gives today.
"""

from ops.rendering.diagram import flow_diagram
from ops.rendering.files import render
from ops.rendering.frozen import changed_since_published
from ops.rendering.tables import payloads_table, topics_table

__all__ = ["changed_since_published", "flow_diagram", "payloads_table", "render", "topics_table"]
