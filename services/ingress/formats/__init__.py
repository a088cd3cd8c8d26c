"""Readers of the formats that platforms export, one module or folder each; pure."""
