// How what is kept shall be called.

const dialog = document.getElementById("naming");

/** The title a person gives, or null if it is not to be kept after all. */
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
