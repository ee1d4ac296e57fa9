STEP = "step-06"
