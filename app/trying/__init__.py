"""The sandbox: both vendors as simulators on this machine, for whoever wants to try the service without accounts."""
