STEP = "step-29"
