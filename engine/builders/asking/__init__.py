"""What builders share that ask a service to write a part of the data."""
