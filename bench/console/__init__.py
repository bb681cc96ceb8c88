"""The staff console under measurement: its processes, a browser, and the clients of other open pages."""
