// The dialog that asks for the title of a kept session.

const dialog = document.getElementById("naming");

/** The title entered, or null if the dialog was cancelled. */
export function ask() {
  dialog.returnValue = "no";
  dialog.showModal();
  const field = dialog.querySelector("input");
  field.select();
  return new Promise((tell) => {
    const closed = () => tell(dialog.returnValue === "keep" ? field.value.trim() : null);
    dialog.addEventListener("close", closed, { once: true });
  });
}
