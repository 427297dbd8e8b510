// Filters the list of items. Without this script every item is shown, and the fields stay hidden.
(function () {
  var form = document.getElementById("filters");
  if (!form) return;
  form.hidden = false;
  var items = Array.prototype.slice.call(document.querySelectorAll("#item-list > li"));
  var told = document.getElementById("shown");
  function show() {
    var wanted = {};
    Array.prototype.forEach.call(form.querySelectorAll("select"), function (field) { wanted[field.name] = field.value; });
    var count = 0;
    items.forEach(function (item) {
      var fits = Object.keys(wanted).every(function (name) {
        return !wanted[name] || (item.getAttribute("data-" + name) || "").split(" ").indexOf(wanted[name]) >= 0;
      });
      item.hidden = !fits;
      if (fits) count += 1;
    });
    told.textContent = count + " of " + items.length + " items shown";
  }
  form.addEventListener("change", show);
  form.addEventListener("reset", function () { setTimeout(show, 0); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  show();
})();
