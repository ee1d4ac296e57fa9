STEP = "step-15"
