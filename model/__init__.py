STEP = "step-21"
