// Two pictures with one selection: what a user does in one of them is passed on to the other.
const pictures = [...document.querySelectorAll("glass-tokens, glass-attention")];
const place = document.querySelector("#place");

for (const picture of pictures) {
  const others = pictures.filter((other) => other !== picture);
  picture.addEventListener("hover", ({ detail: pointed }) => {
    for (const other of others) other.state = { pointed };
  });
  picture.addEventListener("select", ({ detail: selected }) => {
    for (const other of others) other.state = { selected };
    place.textContent = selected ? `Selected: ${JSON.stringify(selected)}` : "";
  });
}
