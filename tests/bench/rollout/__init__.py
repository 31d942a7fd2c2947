"""Roll-outs under load: 200 requests a second through the proxy while good and bad releases come and go."""
