"""The published SimSort, part by part, defects included: what ``preset: paper`` puts together.

Importing this package loads nothing; its modules with networks in them load torch.
"""
