"""Who trains in the bench: one file per framework, each a process of its own.

`python -m bench.contestants.torch 22 memory --shared DIR`, from the checkout's root;
`protocol` is how it is told what to do, `task` what all are given and judged by.
"""
