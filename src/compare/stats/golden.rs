//! The golden values of METHOD 8.1, computed with numpy and scipy.

use serde_json::Value;

use super::{Cell, ClusterTotals, bh, jsd_bc, mover, p_ratio, rs_f, w_neff, wilson};
use super::{Scored, brier, brier_skill, citl, kaplan_meier, spiegelhalter};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/golden/method.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(ours: f64, theirs: &Value) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() < 1e-9, "{ours} is not {theirs}");
}

#[test]
fn w_neff_is_golden() {
    let golden = &golden()["w_neff"];
    let input = &golden["input"];
    let clusters = numbers(&input["cluster"]).into_iter().map(|c| c as usize).collect::<Vec<_>>();
    let cells = numbers(&input["f"])
        .into_iter()
        .zip(input["y"].as_array().unwrap())
        .map(|(f, y)| Cell { found: f > 0.5, gold: y.as_f64().map(|y| y > 0.5), weight: 1.0 })
        .collect::<Vec<_>>();
    let ours = w_neff(&cells, &[&clusters]).unwrap();
    let theirs = &golden["out"];
    close(ours.mean, &theirs["est"]);
    close(ours.estimate, &theirs["pseudo_mean"]);
    close(ours.v_post, &theirs["v_post"]);
    close(ours.v_cluster, &theirs["v_cluster"]);
    close(ours.n_eff, &theirs["n_eff"]);
    close(ours.t, &theirs["t"]);
    close(ours.low, &theirs["lo"]);
    close(ours.high, &theirs["hi"]);
}

#[test]
fn wilson_is_golden() {
    for (name, p, n) in [("wilson_0_of_59", 0.0, 59.0), ("wilson_30_of_100", 0.3, 100.0)] {
        let (low, high) = wilson(p, n, super::Z95);
        close(low, &golden()[name][0]);
        close(high, &golden()[name][1]);
    }
}

#[test]
fn mover_is_golden() {
    let golden = &golden()["mover"];
    let v = numbers(&golden["input"]);
    let (low, high) = mover((v[0], v[1], v[2]), (v[3], v[4], v[5]));
    close(low, &golden["out"][0]);
    close(high, &golden["out"][1]);
}

fn tables() -> [Vec<Vec<f64>>; 2] {
    let golden = golden();
    ["A", "B"].map(|name| golden["rs_f"]["input"][name].as_array().unwrap().iter().map(numbers).collect())
}

#[test]
fn rs_f_is_golden() {
    let [a, b] = tables();
    let ours = rs_f(&a, &b).unwrap();
    let theirs = &golden()["rs_f"]["out"];
    close(ours.x, &theirs["X"]);
    close(ours.trace, &theirs["trace"]);
    close(ours.f, &theirs["F"]);
    close(ours.nu, &theirs["nu"]);
    close(ours.df2, &theirs["df2"]);
    close(ours.p, &theirs["p"]);
}

#[test]
fn jsd_is_golden() {
    let [a, b] = tables();
    let ours = jsd_bc(&ClusterTotals::new(&a), &ClusterTotals::new(&b)).unwrap();
    let theirs = &golden()["jsd_bc"];
    close(ours.raw, &theirs["jsd"]);
    close(ours.bias, &theirs["bias"]);
    close(ours.corrected, &theirs["jsd_bc"]);
}

#[test]
fn p_ratio_is_golden() {
    let golden = &golden()["p_ratio"];
    let v = |name: &str| golden["input"][name].as_f64().unwrap();
    let ours = p_ratio((v("a1"), v("b1")), (v("a2"), v("b2")), v("rho"));
    assert!((ours - golden["out"].as_f64().unwrap()).abs() < 1e-3, "{ours}");
}

#[test]
fn bh_is_golden() {
    let golden = &golden()["bh"];
    for (ours, theirs) in bh(&numbers(&golden["input"])).into_iter().zip(golden["out"].as_array().unwrap()) {
        close(ours, theirs);
    }
}

#[test]
fn calibration_is_golden() {
    let golden = &golden()["calib"];
    let input = &golden["input"];
    let scored = numbers(&input["p"])
        .into_iter()
        .zip(numbers(&input["y"]))
        .map(|(forecast, y)| Scored { forecast, happened: y > 0.5, weight: 1.0, cluster: 0 })
        .collect::<Vec<_>>();
    let theirs = &golden["out"];
    close(citl(&scored).unwrap(), &theirs["citl"]);
    close(brier(&scored).unwrap(), &theirs["brier"]);
    close(brier_skill(&scored).unwrap(), &theirs["bss"]);
    close(spiegelhalter(&scored).unwrap(), &theirs["spiegelhalter_z"]);
}

#[test]
fn kaplan_meier_is_golden() {
    let golden = &golden()["km"];
    let input = &golden["input"];
    let days = numbers(&input["t"]).into_iter().map(|t| t as i64);
    let cases = days.zip(numbers(&input["d"]).into_iter().map(|d| d > 0.5)).collect::<Vec<_>>();
    close(kaplan_meier(&cases).at(input["t0"].as_i64().unwrap()), &golden["out"]["S"]);
}
