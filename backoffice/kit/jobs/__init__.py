"""Work that outlasts a request: who asked for it, its progress and its result.

models     the row                     service   start a job and do it
progress   what its function reports   sweep     finds jobs whose wake-up or worker was lost
report     the row in words            files     the file that it made
"""
