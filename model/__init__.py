STEP = "step-37"
