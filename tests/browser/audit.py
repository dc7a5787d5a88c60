"""axe-core on an open page: what keeps people out."""

from typing import Any

from tools.nodes import ROOT

AXE = ROOT / ".venvs" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
SECONDS = 60  # an end, not an expectation
WORST = ("critical", "serious")  # the impact of a rule is that of each of its findings
RUN = """async ([rules, where, worst]) => {
    const isLeftOut = rule => axe._audit.tagExclude.some(tag => rule.tags.includes(tag));
    const counts = rule => rule.enabled && worst.includes(rule.impact) && !isLeftOut(rule);
    const only = {runOnly: {type: "rule", values: rules || axe._audit.rules.filter(counts).map(rule => rule.id)}};
    const options = {resultTypes: ["violations"], preload: false, ...only};
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error("axe did not end")), SECONDS * 1000));
    const {violations} = await Promise.race([axe.run(where, options), late]);
    return violations.flatMap(rule => rule.nodes.map(node => ({
        rule: rule.id, impact: node.impact || rule.impact, at: node.target.join(" "), html: node.html,
        why: node.any.concat(node.all, node.none).map(check => check.message).join("; "),
    })));
}""".replace("SECONDS", str(SECONDS))


def findings(page: Any, *rules: str, without: str = "") -> list[str]:
    """Return what axe finds critical or serious, by these rules or all; the page's context has AXE.

    Args:
        without: the selector of a part that is left out.
    """
    where = {"include": ["html"], "exclude": [without]} if without else {"include": ["html"]}
    found = page.evaluate(RUN, [list(rules) or None, where, WORST])
    return [
        f"{one['rule']}: {one['html'][:160]} {one['why'][:200]} ({one['at'][-80:]})"
        for one in found
        if one["impact"] in WORST
    ]
