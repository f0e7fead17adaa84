"""What a request can choose from: profiles of faults, scenarios, formats."""
