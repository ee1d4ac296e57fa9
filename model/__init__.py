STEP = "step-09"
