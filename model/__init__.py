STEP = "step-03"
