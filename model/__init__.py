STEP = "step-38"
