"""Level 3 data of transactions."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from countertop.domain.level3 import MAX_ITEMS, Item, Level3
from countertop.gateway.http.answer import NO_CONTENT, Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.form import LINE, Form, Reader
from countertop.gateway.http.idempotency import Once
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.payment_form import Line12, Money
from countertop.gateway.http.route import Route
from countertop.gateway.operations.level3 import add_level3, delete_level3, find_level3
from countertop.gateway.wire.json import write
from countertop.gateway.wire.level3 import Level3Body, level3_body


def _as_text(value: object) -> object:
    """A number of JSON as the text that forms have; a caller may write either."""
    if isinstance(value, bool):
        raise ValueError("not a number")
    return str(value) if isinstance(value, int | Decimal) else value


ItemMoney = Annotated[Money, BeforeValidator(_as_text)]
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,8})?$"), BeforeValidator(_as_text)]
Rate = Annotated[str, StringConstraints(pattern=r"^([0-9]{1,3}(\.[0-9]{1,8})?)?$"), BeforeValidator(_as_text)]
Line35 = Annotated[str, StringConstraints(max_length=35, pattern=LINE)]


class ItemForm(BaseModel):
    """One line of the purchase, as a JSON object."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    description: Line35 = ""
    product_code: Line12 = Field("", alias="productCode")
    commodity_code: Line12 = Field("", alias="commodityCode")
    quantity: Quantity = "1"
    unit_of_measure: Line12 = Field("", alias="unitOfMeasure")
    amount_unit_cost: ItemMoney = Field(0, alias="amountUnitCost")
    amount_total: ItemMoney = Field(0, alias="amountTotal")
    amount_discount: ItemMoney = Field(0, alias="amountDiscount")
    amount_tax: ItemMoney = Field(0, alias="amountTax")
    discount_rate: Rate = Field("", alias="discountRate")
    tax_rate: Rate = Field("", alias="taxRate")
    discount_treatment: Annotated[str, StringConstraints(max_length=32, pattern=LINE)] = Field("", alias="discountTreatment")
    debit_credit: Literal["DEBIT", "CREDIT"] = Field("DEBIT", alias="debitCreditIndicator")
    discount: Literal["DISCOUNTED", "NOT_DISCOUNTED"] = Field("NOT_DISCOUNTED", alias="discountIndicator")
    gross_net: Literal["GROSS", "NET"] = Field("NET", alias="grossNetIndicator")

    def item(self) -> Item:
        """What is kept of it."""
        fields = self.model_dump(exclude={"discount", "gross_net"})
        return Item(**fields, discounted=self.discount == "DISCOUNTED", gross=self.gross_net == "GROSS")


def _object(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ValueError("not a JSON object") from None


def _no_number(_: str) -> Any:
    raise ValueError("not a number")


ItemText = Annotated[
    ItemForm,
    BeforeValidator(_object),
    WithJsonSchema({"type": "string", "contentMediaType": "application/json", "pattern": r"^\{\}$", "examples": ["{}"]}),
]


class Level3Form(Form):
    """The purchase as a corporate buyer's card wants to know it."""

    amount_duty: Annotated[Money, Field(alias="amountDuty")] = 0
    amount_freight: Annotated[Money, Field(alias="amountFreight")] = 0
    summary_commodity_code: Annotated[str, Field(alias="summaryCommodityCode", pattern="^[A-Za-z0-9]{0,4}$")] = ""
    destination_zip: Annotated[str, Field(alias="destinationZip", pattern="^[A-Za-z0-9-]{0,10}$")] = ""
    ship_from_zip: Annotated[str, Field(alias="shipFromZip", pattern="^[A-Za-z0-9-]{0,10}$")] = ""
    items: Annotated[tuple[ItemText, ...], Field(alias="items[]", min_length=1, max_length=MAX_ITEMS, description="JSON objects")]

    def data(self) -> Level3:
        """What is kept of it."""
        return Level3(
            tuple(item.item() for item in self.items),
            self.amount_duty,
            self.amount_freight,
            self.summary_commodity_code,
            self.destination_zip,
            self.ship_from_zip,
        )


_FORM: Final = Reader(Level3Form, "label")


class Level3s:
    """`/transactions/{transactionId}/level3`."""

    def __init__(self, parts: ApiParts, once: Once) -> None:
        self._parts = parts
        self._once = once

    def routes(self) -> list[Route]:
        """All of them."""
        path = "/transactions/{transactionId}/level3"
        return [
            Route("POST", path, self.add, "Add level 3 data", answer=Level3Body, form=_FORM, statuses=(404,)),
            Route("GET", path, self.show, "Show level 3 data", answer=Level3Body, statuses=(404,)),
            Route("DELETE", path, self.delete, "Remove level 3 data", statuses=(404,)),
        ]

    async def add(self, call: Call) -> Answer:
        """`POST …/level3`."""
        values = call.form()
        data = _FORM.read(values).data()
        return await self._once.write(
            call, values, lambda _: Answer(200, write(level3_body(data))), add_level3, call.caller, call.number(), data
        )

    async def show(self, call: Call) -> Answer:
        """`GET …/level3`."""
        return Answer(200, write(level3_body(await self._parts.store.peek(find_level3, call.caller.merchant_id, call.number()))))

    async def delete(self, call: Call) -> Answer:
        """`DELETE …/level3`."""
        await self._parts.store.write(delete_level3, self._parts.moment(), call.caller, call.number())
        return NO_CONTENT
