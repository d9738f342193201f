"""The touchscreen's own web server: one page, its data, and orders on their way to `record`.

Promises: reads only; every order goes to `record`, which alone says whether it may be. What a
screen shows is the newest state, and a state that is old is said to be old.
Never: stands in the line's way (low priority, no queue that grows), or fetches anything.
"""
