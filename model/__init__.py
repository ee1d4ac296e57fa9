STEP = "step-11"
