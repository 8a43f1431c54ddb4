//! The statistics, and nothing else: pure functions on slices, no I/O, no clock, no names of problems or people.
//!
//! Each function cites the section of METHOD it implements and the paper behind it. One rule holds for all of them: a
//! degenerate input (no cells, one cluster, no mass) gives `None` or the widest answer, never a number that looks exact.
//!
//! The golden values in `tests/golden/method.json` were computed with numpy and scipy; every function here reproduces them
//! to 1e-9 (the quadrature of [`p_ratio`] to 1e-3).

mod agreement;

mod calibration;

mod change;

mod clusters;

mod difference;

mod distributions;

mod domain;

mod mix;

mod multiplicity;

mod proportion;

mod shrinkage;

mod survival;

pub use agreement::{Agreement, Coincidences, Rated, Scale, agreement};
pub use calibration::{
    Bin, Scored, brier, brier_skill, citl, citl_error, citl_interval, isotonic, mean_forecast, reliability,
    skill_interval, spiegelhalter,
};
pub use change::{Change, Period, change};
pub use clusters::{Clustered, share_clusters};
pub use difference::{POWER, RatioTail, detectable, difference_error, mover, p_ratio};
pub use distributions::{
    beta_cdf, beta_quantile, binomial, chi_squared_survival, f_survival, normal_quantile, quantile, student_quantile,
};
pub use domain::{Class, DomainCell, share_within};
pub use mix::{ClusterTotals, Jsd, RaoScott, cluster_covariance, jsd_bc, jsd_interval, jsd_parts, rs_f};
pub use multiplicity::bh;
pub use proportion::{Cell, Proportion, Z95, census, w_neff, wilson};
pub use shrinkage::{Group, Homogeneity, Shrunk, homogeneity, shrink};
pub use survival::{Survival, censoring_weights, kaplan_meier};

#[cfg(test)]
mod golden;
