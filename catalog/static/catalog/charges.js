// The charges of a rate plan: shows the boxes of the chosen pricing model, adds and removes rows, keeps the start of
// each tier up to date and offers the dimensions of the chosen metric. Without it all boxes and some empty rows are
// there to be filled in. It holds no handlers in attributes, so that a strict Content-Security-Policy lets it run.
"use strict";

(() => {
    const LEAST_TIERS = 2;

    const all = (root, selector) => [...root.querySelectorAll(selector)];
    const boxes = (row) => all(row, "input, select");
    const isBlank = (row) => boxes(row).every((box) => box.value.trim() === "");
    const listOf = (rows) => rows.querySelector("[data-list]");
    const chosen = (charge, field) => charge.querySelector(`select[name$="-${field}"]`);

    /** Draw an empty charge or row at the end of a list, its boxes named for the charge with this number. */
    function draw(kind, list, number) {
        const blank = list.closest("[data-charges]").querySelector(`:scope > [data-blank=${kind}]`);
        list.insertAdjacentHTML("beforeend", blank.innerHTML.replaceAll("__prefix__", number));
        return list.lastElementChild;
    }

    /** Show what the pricing model of the charge asks for, and nothing else. */
    function showModel(charge) {
        const model = chosen(charge, "model").value;
        for (const part of all(charge, "[data-models]")) {
            part.hidden = !part.dataset.models.split(" ").includes(model);
        }
    }

    /** Offer the dimensions of the metric; one chosen before stays, for the operator to correct. */
    function offerDimensions(charge) {
        const known = JSON.parse(charge.closest("[data-charges]").dataset.dimensions);
        const metric = chosen(charge, "metric").value;
        const offered = known[metric] || [];
        const rows = charge.querySelector("[data-rows=match]");
        for (const select of all(rows, "select[data-column=dimension]")) {
            const stays = select.value && !offered.includes(select.value) ? [select.value] : [];
            const names = [...offered, ...stays].map((name) => new Option(name, name, false, name === select.value));
            select.replaceChildren(select.options[0], ...names);
        }
        const isWithout = metric !== "" && offered.length === 0;
        rows.querySelector("[data-add]").hidden = isWithout;
        rows.querySelector("[data-without-dimensions]").hidden = !isWithout;
    }

    /** Count the rows, and say of each tier where it begins. */
    function count(rows) {
        let above = "0";
        const list = [...listOf(rows).children];
        list.forEach((row, place) => {
            for (const part of all(row, "[data-label]")) {
                part.setAttribute("aria-label", `${part.dataset.label} ${place + 1}`);
            }
            if (rows.dataset.rows === "tiers") {
                const end = row.querySelector("[data-column=up_to]");
                row.querySelector("[data-number]").textContent = place + 1;
                row.querySelector("[data-above]").textContent = place && above ? `> ${above}` : above;
                end.placeholder = place === list.length - 1 ? "∞" : "";
                above = end.value.trim();
            }
        });
    }

    /** Add an empty row and return it. */
    function append(rows) {
        const charge = rows.closest("[data-charge]");
        const row = draw(rows.dataset.rows, listOf(rows), chosen(charge, "model").name.match(/-(\d+)-model$/)[1]);
        showModel(charge);
        offerDimensions(charge);
        count(rows);
        return row;
    }

    /** Add a row and go to the box that is filled in next: where another tier follows, the one before needs an end. */
    function add(rows) {
        const before = listOf(rows).lastElementChild;
        const row = append(rows);
        const end = before && before.querySelector("[data-column=up_to]");
        (end && !end.value.trim() ? end : boxes(row)[0]).focus();
    }

    /** Remove a row and go to the next one; a price by tiers keeps one. */
    function remove(rows, row) {
        const next = row.nextElementSibling || row.previousElementSibling;
        row.remove();
        if (!next && rows.dataset.rows === "tiers") {
            boxes(append(rows))[0].focus();
            return;
        }
        count(rows);
        (next ? next.querySelector("[data-remove]") : rows.querySelector("[data-add]")).focus();
    }

    /** Take away the empty rows that stand there for want of a script, save that of a tier which has to follow. */
    function trim(rows) {
        const list = listOf(rows);
        const last = [...list.children].findLast((row) => !isBlank(row));
        const filled = [...list.children].filter((row) => !isBlank(row)).length;
        let least = filled;
        if (rows.dataset.rows === "tiers") {
            const end = last && last.querySelector("[data-column=up_to]");
            least = last ? filled + (end.value.trim() ? 1 : 0) : LEAST_TIERS;
        }
        for (const row of [...list.children].reverse()) {
            if (isBlank(row) && list.children.length > least) {
                row.remove();
            }
        }
        count(rows);
    }

    function begin(charge) {
        all(charge, "[data-rows]").forEach(trim);
        showModel(charge);
        offerDimensions(charge);
    }

    function addCharge(charges) {
        const total = charges.querySelector("[data-total]");
        const charge = draw("charge", charges.querySelector("[data-charge-list]"), total.value);
        total.value = Number(total.value) + 1;
        begin(charge);
        chosen(charge, "metric").focus();
    }

    document.addEventListener("DOMContentLoaded", () => all(document, "[data-charge]").forEach(begin));
    document.addEventListener("click", (event) => {
        const button = event.target.closest("[data-add], [data-remove], [data-add-charge]");
        if (!button) {
            return;
        }
        if (button.matches("[data-add-charge]")) {
            addCharge(button.closest("[data-charges]"));
        } else if (button.matches("[data-add]")) {
            add(button.closest("[data-rows]"));
        } else {
            remove(button.closest("[data-rows]"), button.closest("[data-row]"));
        }
    });
    document.addEventListener("input", (event) => {
        if (event.target.matches("[data-rows=tiers] [data-column=up_to]")) {
            count(event.target.closest("[data-rows]"));
        }
    });
    document.addEventListener("change", (event) => {
        const charge = event.target.closest("[data-charge]");
        if (charge && event.target.matches('select[name$="-model"]')) {
            showModel(charge);
        } else if (charge && event.target.matches('select[name$="-metric"]')) {
            offerDimensions(charge);
        }
    });
})();
