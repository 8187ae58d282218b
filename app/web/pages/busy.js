// Says when a page is not to look for what is new: while it is hidden, and while somebody is at work on it whose work a
// new list would take away. That is a dialog or menu that is open, text that is selected, a field that is typed into, and
// what was typed or chosen and not sent. Filters are no part of what is replaced, and what is in `.keeps` stays by itself.
(() => {
  const touched = new Set();
  const apart = "form[role=search], .keeps, header";
  const writes = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable=true]";
  const chooses = "[role=checkbox], [role=radio], [role=switch]";
  let told = false;

  const within = (node) => node && document.getElementById("main")?.contains(node) && !node.closest(apart);

  const unsent = () => {
    for (const each of touched) if (!each.isConnected || each.closest("dialog:not([open])")) touched.delete(each);
    return touched.size > 0;
  };

  const selected = () => {
    const selection = getSelection();
    const node = selection?.anchorNode;
    return !!node && !selection.isCollapsed && within(node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
  };

  const busy = () =>
    document.hidden ||
    !!document.querySelector("dialog[open], .q-dialog, .q-menu") ||
    (document.activeElement?.matches(writes) && within(document.activeElement)) ||
    unsent() ||
    selected();

  const tell = () => {
    const now = !!busy();
    if (now !== told && typeof emitEvent === "function") emitEvent("resting", (told = now));
  };

  const note = (event) => {
    if (within(event.target)) touched.add(event.target);
    tell();
  };

  addEventListener("input", note, true);
  addEventListener("change", note, true);
  addEventListener("click", (event) => {
    const chosen = event.target.closest?.(chooses);
    if (within(chosen)) touched.add(chosen);
    // A button does something with what was chosen, and shows what came of it.
    if (event.target.closest?.("button, [type=submit]") && !event.target.closest("dialog")) touched.clear();
    setTimeout(tell);
  }, true);
  addEventListener("submit", () => { touched.clear(); setTimeout(tell); }, true);
  for (const name of ["focusin", "focusout", "selectionchange", "visibilitychange"]) document.addEventListener(name, () => setTimeout(tell));
  setInterval(tell, 250);
})();
