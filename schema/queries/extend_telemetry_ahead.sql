select again_from from :"schema".extend_telemetry_ahead()
