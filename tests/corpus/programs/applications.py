"""Keras's own models, as a first fine-tuning script has them (random weights: nothing is downloaded)."""

import keras


def _compiled(model, optimizer="adam"):
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def resnet50():
    return _compiled(
        keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3), classes=10), "sgd"
    )


def resnet50v2():
    return _compiled(
        keras.applications.ResNet50V2(weights=None, input_shape=(64, 64, 3), classes=10)
    )


def mobilenet():
    return _compiled(
        keras.applications.MobileNet(weights=None, input_shape=(64, 64, 3), classes=10)
    )


def mobilenet_v2():
    return _compiled(
        keras.applications.MobileNetV2(weights=None, input_shape=(64, 64, 3), classes=10)
    )


def mobilenet_v3():
    return _compiled(
        keras.applications.MobileNetV3Small(weights=None, input_shape=(64, 64, 3), classes=10)
    )


def efficientnet():
    return _compiled(
        keras.applications.EfficientNetB0(weights=None, input_shape=(64, 64, 3), classes=10)
    )


def efficientnet_v2():
    return _compiled(
        keras.applications.EfficientNetV2B0(weights=None, input_shape=(64, 64, 3), classes=10)
    )


def densenet():
    return _compiled(
        keras.applications.DenseNet121(weights=None, input_shape=(64, 64, 3), classes=10)
    )


def xception():
    return _compiled(keras.applications.Xception(weights=None, input_shape=(75, 75, 3), classes=10))


def inception():
    return _compiled(
        keras.applications.InceptionV3(weights=None, input_shape=(75, 75, 3), classes=10)
    )


def vgg16():
    return _compiled(keras.applications.VGG16(weights=None, input_shape=(32, 32, 3), classes=10))


def convnext():
    return _compiled(
        keras.applications.ConvNeXtTiny(weights=None, input_shape=(32, 32, 3), classes=10)
    )


def nasnet():
    return _compiled(
        keras.applications.NASNetMobile(weights=None, input_shape=(32, 32, 3), classes=10)
    )
