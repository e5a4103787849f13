/** @file Hardware-independent graph passes: canonicalisation, folding, fusion, layout, autodiff, quantisation. */
export {}
