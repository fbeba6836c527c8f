"""What `tested_faults` is made of: the tests of the untouched project, the faults to try, a trial, what is kept."""
