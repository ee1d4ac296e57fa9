STEP = "step-23"
