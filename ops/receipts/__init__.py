"""The receipt that a family is given of what it decided: plain words, on one page, in French or in English.

`page` says what is on it, from the record (ISO/IEC TS 27560) and the policy; `markdown` and `html` only write it down.
"""
