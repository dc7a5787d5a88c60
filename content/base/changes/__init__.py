"""What was changed when and by whom, read from the history.

titles    the names of objects in the history
times     where in a history a time lies
latest    the latest change of each of some objects
reading   the changes of all content, merged, in pages
filters   the filters of lists by time and person
columns   the column of lists
pages     the page of recent changes
recent    the newest changes, for the first page
"""
