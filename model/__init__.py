STEP = "step-01"
