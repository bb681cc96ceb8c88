"""The whole journey of a request for help, and the bare chain it is measured beside."""
