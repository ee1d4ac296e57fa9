STEP = "step-05"
