"""Telling people that something needs them: once when it begins, once when it gets worse, once when it is over.

watch, every minute     conditions.py   which conditions hold now
                        changes.py      what that changes (pure)
                        watch.py        alerts opened and ended, one job for each channel, one transaction
                        daily.py        summaries that are due, each queued once; summary.py, their words (pure)
tell, a job             channels.py     where a channel leads
                        mail.py, hooks.py   how it gets there
messages.py             the words (pure)
"""
