"""Imports: a file is read and judged, waits for a person, and is written in slices. See docs/adr/0022 and 0025.

model       an import and its state
service     what can be done with one: start, map columns, confirm, cancel, undo
source      its file and the rules for its rows; mapping has the column of each heading
reading     the job that reads and judges the file, and writes nothing of it
slices      the job that writes the rows, each slice a short transaction
undo        the job that undoes an import
failed      the file of the rows that were not written
run         what becomes of rows in either job: read, judge, write
rows        the rows, judged one by one; newer knows what somebody changed since the file was made
staging     the rows in a temporary table
end_state   the rules about all rows together; unique has the unique keys
writing     the statements that write; parking frees unique values that rows pass on
problems    all that is wrong with the rows
result      the numbers, and the first rows
admin       the pages; report and sentences have an import in words
"""
