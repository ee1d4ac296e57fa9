STEP = "step-04"
