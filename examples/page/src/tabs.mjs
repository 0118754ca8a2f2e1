/** Tabs for mouse and arrow keys; `chosen(tab)` hears of each choice. */
export function tabs(list, chosen) {
    const all = [...list.querySelectorAll('[role=tab]')];
    function choose(tab) {
        for (const one of all) {
            one.setAttribute('aria-selected', one === tab);
            one.tabIndex = one === tab ? 0 : -1;
        }
        chosen(tab);
    }
    list.addEventListener('click', ({ target }) => all.includes(target) && choose(target));
    list.addEventListener('keydown', ({ key, target }) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
        if (step === undefined)
            return;
        const next = all[(all.indexOf(target) + step + all.length) % all.length];
        next.focus();
        choose(next);
    });
    return { choose: (id) => choose(all.find((tab) => tab.id === id)) };
}
