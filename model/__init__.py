STEP = "step-34"
