"""How dates, times and numbers are written: alike in every language, so that a screenshot reads the same for all.

Django finds the modules by FORMAT_MODULE_PATH. What people type may also be as their language writes it.
"""
