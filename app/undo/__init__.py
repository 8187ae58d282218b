"""Taking back what was written: a value, a record, a run, or all that a bridge wrote in a time.

scope       what it is about, and where to find it in the activities
folding     from activities to one wish for each field of each side               pure
comparing   what is there now, against what we had left there                     pure
reverting   one pair: claim, read, compare, write, settle
undoing     the run over all pairs, and the preview
store       its tables
history     who wrote what in one pair, newest first
listing     what became of each value
"""
