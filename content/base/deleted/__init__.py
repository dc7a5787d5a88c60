"""What was deleted: found in the history, and restored from it.

rows      the deleted objects of a model, and those that were deleted with them
restore   the job that restores them
admin     the pages
"""
